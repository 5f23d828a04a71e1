$ curl "${api_endpoint}?version=2" -X POST -H "Content-Type: application/json" -d @sample.json

{"prediction": 26.929889872154185, "model": {"version": "2"}}
