; Two address spaces share a page that neither may write. The first write faults; only then the page is
; copied, and only the writer gets the copy. It is how fork() makes processes cheap.
%include "protected.inc"
%include "paging.inc"

PAGE    equ 0x0040_0000         ; linear, in both address spaces
SHARED  equ 0x0002_0000         ; the frame behind it
COPY    equ 0x0002_1000         ; a free frame

PARENT  equ DIRECTORY           ; two directories, each with a table of its own for PAGE
PARENT_TABLE equ 0x0001_3000
CHILD   equ 0x0001_4000
CHILD_TABLE  equ 0x0001_5000

main:   call identity_paging
        mov  eax, page_fault
        call handle_page_faults

        mov  dword [SHARED], 0x1111_1111
        mov  dword [PARENT_TABLE], SHARED | PRESENT
        mov  dword [CHILD_TABLE], SHARED | PRESENT
        mov  dword [PARENT + 4], PARENT_TABLE | PRESENT | WRITABLE
        mov  dword [CHILD], TABLE | PRESENT | WRITABLE
        mov  dword [CHILD + 4], CHILD_TABLE | PRESENT | WRITABLE

        mov  eax, CHILD
        mov  cr3, eax
        say  "child reads   "
        mov  eax, [PAGE]
        call print_hex
        say  10
        mov  dword [PAGE], 0x2222_2222 ; faults: the page is read-only
        say  "child reads   "
        mov  eax, [PAGE]
        call print_hex

        mov  eax, PARENT
        mov  cr3, eax
        say  10, "parent reads  "
        mov  eax, [PAGE]
        call print_hex
        say  10
        hlt

page_fault:
        pushad
        say  "write to "
        mov  eax, cr2
        call print_hex
        say  ", error code "
        mov  eax, [esp + 32]
        call print_hex
        say  ": copying the page", 10
        mov  esi, SHARED
        mov  edi, COPY
        mov  ecx, 1024
        cld
        rep  movsd
        mov  dword [CHILD_TABLE], COPY | PRESENT | WRITABLE
        invlpg [PAGE]           ; an entry that was in use has changed
        popad
        add  esp, 4
        iretd
