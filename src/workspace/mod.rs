//! What a workspace must obey, rule by rule, and what is done with whole workspaces.
