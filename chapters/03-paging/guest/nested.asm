; Builds the four levels of tables that a 64-bit kernel must have before it switches to long mode, for one
; page, and stops there: who walks them, and how often, is the monitor's business after the run.
%include "protected.inc"

PML4    equ 0x0002_0000
POINTERS equ 0x0002_1000
DIRECTORY equ 0x0002_2000
TABLE   equ 0x0002_3000
FRAME   equ 0x0002_4000

PRESENT equ 1 << 0
WRITABLE equ 1 << 1

; The page is at linear 0x0080_8060_4000: entry 1 of the PML4, 2 of the pointers, 3 and 4.
main:   mov  edi, PML4
        xor  eax, eax
        mov  ecx, 5 * 1024
        cld
        rep  stosd
        mov  dword [PML4 + 8 * 1], POINTERS | PRESENT | WRITABLE
        mov  dword [POINTERS + 8 * 2], DIRECTORY | PRESENT | WRITABLE
        mov  dword [DIRECTORY + 8 * 3], TABLE | PRESENT | WRITABLE
        mov  dword [TABLE + 8 * 4], FRAME | PRESENT | WRITABLE
        mov  dword [FRAME], 0xcafe_f00d

        say  "four levels, from "
        mov  eax, PML4
        mov  cr3, eax
        call print_hex
        say  " on"
        say  10
        hlt
