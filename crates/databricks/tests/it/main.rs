//! Every call of the client, in-process against the mock cloud.
