"""The companion: command line, configuration, devices and the loop that joins them."""
