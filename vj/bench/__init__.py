"""What `vj bench` measures of a whole show, from outside, through the mailboxes the audience's picture goes through."""
