"""What every EventFlow service shares; import from the module that names the thing."""
