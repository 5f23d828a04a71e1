$ curl https://***.amazonaws.com/my-api \
    -X POST \
    -d "key=value"
