"""What must be held while a model trains or answers, and what paging, sharing and smaller numbers spare."""
