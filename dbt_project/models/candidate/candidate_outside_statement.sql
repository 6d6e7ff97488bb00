{{ outside_statement('built') }}
