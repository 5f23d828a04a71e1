import requests
import pickle

url = "https://***.amazonaws.com/my-api"
files = {
    "text": open("text.txt", "rb"),
    "object": open("object.pkl", "rb"),
    "image": open("image.png", "rb"),
}

requests.post(url, files=files)
