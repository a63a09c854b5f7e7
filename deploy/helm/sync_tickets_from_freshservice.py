import sys
from run import become
become(["sync", "tickets", *(["--full"] if "--full-sync" in sys.argv else [])])
