from run import become
become(["accounts", "push-datto", "--yes"])
