"""Resources: which model, tool or device does a step, and who may use it now."""
