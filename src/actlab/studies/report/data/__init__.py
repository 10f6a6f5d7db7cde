"""Page data: the finished numbers of each picture and table, as pure functions of the records."""
