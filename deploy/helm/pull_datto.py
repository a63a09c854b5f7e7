from run import become
become(["sync", "datto"])
