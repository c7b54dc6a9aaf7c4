if [1 for name in ENVIRONMENT if os.environ.get(name) != ENVIRONMENT[name]]:
    os.environ.update(ENVIRONMENT)
    os.execv(sys.executable, sys.orig_argv)
