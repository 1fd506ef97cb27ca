; Changes a page table under the processor's feet. The TLB remembers the old entry until INVLPG.
%include "protected.inc"
%include "paging.inc"

PAGE    equ 0x0040_0000         ; linear
PAGE_TABLE equ 0x0001_3000
FIRST   equ 0x0002_0000         ; two frames with different contents
SECOND  equ 0x0002_1000

main:   call identity_paging
        mov  dword [FIRST], 0x1111_1111
        mov  dword [SECOND], 0x2222_2222
        mov  dword [PAGE_TABLE], FIRST | PRESENT | WRITABLE
        mov  dword [DIRECTORY + 4 * (PAGE >> 22)], PAGE_TABLE | PRESENT | WRITABLE

        say  "mapped to the first frame:  "
        mov  eax, [PAGE]        ; walks, and fills the TLB
        call print_hex
        mov  dword [PAGE_TABLE], SECOND | PRESENT | WRITABLE
        say  10, "mapped to the second frame: "
        mov  eax, [PAGE]        ; does not walk
        call print_hex
        invlpg [PAGE]
        say  10, "after INVLPG:               "
        mov  eax, [PAGE]        ; walks again
        call print_hex
        say  10
        hlt
