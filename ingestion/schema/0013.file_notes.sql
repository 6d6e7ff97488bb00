-- What was read of a file otherwise than it is written: normalised, and noted.
-- depends: 0012.quarantine_work

CREATE TABLE events.file_note (
    file_id        bigint  NOT NULL REFERENCES events.file_registry,
    note_code      text    NOT NULL CHECK (note_code LIKE 'N-%'),
    column_name    text    NOT NULL,      -- of the source
    row_count      bigint  NOT NULL CHECK (row_count > 0),
    first_line_no  integer NOT NULL,
    PRIMARY KEY (file_id, note_code, column_name)
);

COMMENT ON TABLE events.file_note IS '读取说明：写法与约定不同但含义唯一、已按约定读取的行，逐文件逐列计数 / Notes: rows written otherwise than agreed and read as agreed, counted by file and column';
COMMENT ON COLUMN events.file_note.file_id IS '文件编号 / The file';
COMMENT ON COLUMN events.file_note.note_code IS '说明代码，N-开头 / Code of the note';
COMMENT ON COLUMN events.file_note.column_name IS '来源列名 / Column of the source';
COMMENT ON COLUMN events.file_note.row_count IS '行数 / Rows';
COMMENT ON COLUMN events.file_note.first_line_no IS '首次出现的物理行号 / Physical line of the first';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events.file_note
    FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
ALTER TABLE events.file_note ENABLE ALWAYS TRIGGER append_only;
GRANT INSERT ON events.file_note TO fund_ingest;
