// The text of the library JSONata, as its makers ship it: nothing is read from files when it runs.
    .section .rodata
    .global etl_jsonata_source
    .hidden etl_jsonata_source
    .global etl_jsonata_source_end
    .hidden etl_jsonata_source_end
etl_jsonata_source:
    .incbin JSONATA_SOURCE
etl_jsonata_source_end:
    .section .note.GNU-stack, "", %progbits
