"""The survey: what every channel answers to, over a whole data set."""
