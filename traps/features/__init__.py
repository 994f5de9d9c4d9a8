"""From raw data to the features that a model reads: dataframes, transforms and their versions."""
