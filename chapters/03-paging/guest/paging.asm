; Builds page tables, turns paging on, and looks at one physical page through two linear addresses.
%include "protected.inc"
%include "paging.inc"

FRAME   equ 0x0000_9000         ; the physical page
HIGH_   equ 0xc000_0000         ; where it appears a second time
HIGH_TABLE equ 0x0001_3000

main:   call identity_paging
        say  "paging is on: CR0 is "
        mov  eax, cr0
        call print_hex

        mov  dword [HIGH_TABLE], FRAME | PRESENT | WRITABLE
        mov  dword [DIRECTORY + 4 * (HIGH_ >> 22)], HIGH_TABLE | PRESENT | WRITABLE

        mov  dword [FRAME + 4], 0x1234_5678
        say  10, "written at  "
        mov  eax, FRAME + 4
        call print_hex
        say  10, "found at    "
        mov  eax, HIGH_ + 4
        call print_hex
        say  ": "
        mov  eax, [HIGH_ + 4]
        call print_hex

        say  10, "entry after the read:  "
        mov  eax, [HIGH_TABLE]
        call print_hex
        mov  byte [HIGH_], 1
        say  10, "entry after the write: "
        mov  eax, [HIGH_TABLE]
        call print_hex
        say  10
        hlt
