"""Stands in for functions and classes of worker_demo."""


def twice(x):
    return x * 3


class Counter:
    def __init__(self, start=0):
        self.value = start + 100

    def add(self, amount, other=None):
        self.value += amount
        return self.value


def make(start=0):
    return Counter(start)


def add(counter, amount, other=None):
    return counter.value + amount * 1000
