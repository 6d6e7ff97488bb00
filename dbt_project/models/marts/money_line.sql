{{ money_line('published') }}
