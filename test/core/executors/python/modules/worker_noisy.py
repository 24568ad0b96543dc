print("imported noisily")


def twice(x):
    return x * 2
