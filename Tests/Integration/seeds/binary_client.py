import requests
import pickle

url = "https://***.amazonaws.com/my-api"
pklBytes = pickle.dumps({"key": "value"})
requests.post(url, data=pklBytes, headers={"Content-Type": "application/octet-stream"})
