"""Where parameters begin: laws of their draws as functions of uniform ones."""
