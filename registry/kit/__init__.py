"""Tools that know no table and no law: files, workbooks, characters, workers, credit codes."""
