import sys
from run import become
become(["doctor"] if "--test-connection" in sys.argv else ["sync", "datto"])
