"""The thin worker that hosts a user's predictor."""
