"""Hours of a server's life in minutes: valid requests beside killed workers, hostile clients and deploys."""
