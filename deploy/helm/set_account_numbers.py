from run import become
become(["accounts", "assign", "--yes"])
