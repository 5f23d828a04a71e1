import requests
import json

url = "https://***.amazonaws.com/my-api"
jsonStr = json.dumps({"key": "value"})
requests.post(url, data=jsonStr, headers={"Content-Type": "application/json"})
