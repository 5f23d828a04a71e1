import requests

url = "https://***.amazonaws.com/my-api"
requests.post(url, data={"key": "value"})
