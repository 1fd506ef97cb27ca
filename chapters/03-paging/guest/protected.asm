; Leaves real mode: sees the limit of 16 bits, loads descriptors, and reaches memory above 1 MiB.
%include "protected.inc"

ABOVE   equ 0x0010_0000         ; no real-mode segment begins so high; ffff:0010 reaches it, with A20

main:   say  "32 bits: CR0 is "
        mov  eax, cr0
        call print_hex
        say  10, "writing to "
        mov  eax, ABOVE
        call print_hex
        mov  dword [ABOVE], 0xcafe_f00d
        say  ", reading "
        mov  eax, [ABOVE]
        call print_hex
        say  10, "through a segment that begins there: "
        lgdt [wider]            ; a table with one more descriptor
        mov  ax, WINDOW
        mov  gs, ax
        mov  eax, [gs:0]
        call print_hex
        say  10
        hlt

WINDOW  equ 0x18                ; its selector
wider:  dw table.end - table - 1
        dd table
align 8
table:  dq 0
        dq 0x00cf_9a00_0000_ffff
        dq 0x00cf_9200_0000_ffff
        dq 0x0040_9210_0000_0fff ; WINDOW: base 0x0010_0000, limit 0xfff bytes
.end:
