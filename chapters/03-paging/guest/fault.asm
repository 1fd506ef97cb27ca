; Touches pages that do not exist. Each touch faults, the handler gives it a page, and the same
; instruction runs again: demand paging.
%include "protected.inc"
%include "paging.inc"

HEAP    equ 0x0040_0000         ; 4 MiB: nothing is mapped from here on
HEAP_TABLE equ 0x0001_3000
FRAMES  equ 0x0002_0000         ; free physical pages

main:   call identity_paging
        mov  eax, page_fault
        call handle_page_faults
        mov  dword [DIRECTORY + 4 * (HEAP >> 22)], HEAP_TABLE | PRESENT | WRITABLE

        mov  ebx, HEAP
        mov  ecx, 3
.touch: mov  [ebx], ebx         ; faults once for each page
        add  ebx, 0x1000
        loop .touch
        mov  eax, [HEAP + 0x5004] ; a read faults, too

        say  "sum of what the pages hold: "
        mov  eax, [HEAP]
        add  eax, [HEAP + 0x1000]
        add  eax, [HEAP + 0x2000]
        call print_hex
        say  10
        hlt

; The processor has pushed an error code; CR2 holds the linear address.
page_fault:
        pushad
        say  "page fault at "
        mov  eax, cr2
        call print_hex
        say  ", error code "
        mov  eax, [esp + 32]
        call print_hex
        say  ": mapping "
        mov  eax, [free]
        add  dword [free], 0x1000
        call print_hex
        say  10
        or   eax, PRESENT | WRITABLE
        mov  ebx, cr2
        shr  ebx, 12
        and  ebx, 0x3ff
        mov  [HEAP_TABLE + 4 * ebx], eax
        popad
        add  esp, 4             ; the error code
        iretd                   ; and the instruction runs again

free:   dd FRAMES
