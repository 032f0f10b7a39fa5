"""A symbolic pickle machine: it follows every opcode of protocols 0 to 5 and executes nothing."""
