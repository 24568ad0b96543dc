import os

os._exit(11)
