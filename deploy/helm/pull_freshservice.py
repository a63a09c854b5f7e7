from run import become
become(["sync", "freshservice"])
