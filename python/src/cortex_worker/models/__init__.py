"""Models in memory: which are loaded, how, and the clients that predictors get them from."""
