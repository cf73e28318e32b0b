"""Tools that know no table and no law: files, workbooks, characters, worker processes, credit codes."""
