{{ outside_statement('published') }}
