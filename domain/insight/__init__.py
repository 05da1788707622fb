"""What the months and weeks say of the whole: measures with their coverage, odd cases by severity. Pure."""
