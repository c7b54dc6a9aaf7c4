# Values are built at run time: constants live for ever and hide every lifetime fault.
N = int("1000")
K = "".join(["k"])
V = make_tokens()
