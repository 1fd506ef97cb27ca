; The same kernel as an ELF file, entered by PVH: EBX is at the start info. The file is written by hand, as it
; has three headers and no more.
LOADED_AT equ 0x0010_0000
ROOM      equ 0x0001_0000
bits 32
org LOADED_AT
%include "elf-headers.inc"

%include "print.inc"

main:   mov  esp, LOADED_AT + ROOM
        mov  ebp, ebx           ; the start info
        say  "Hello from "
        mov  eax, main
        call print_hex
        say  ". My start info is at "
        mov  eax, ebp
        call print_hex
        say  ".", 10

        say  "magic          "
        mov  eax, [ebp]
        call print_hex
        say  ", version "
        mov  eax, [ebp + 4]
        call print_number
        say  10, "command line   "
        mov  esi, [ebp + 24]
        call print
        say  10, "modules        "
        mov  eax, [ebp + 12]
        call print_number
        test eax, eax
        jz   .map
        mov  edi, [ebp + 16]
        say  ", the first of "
        mov  eax, [edi + 8]
        mov  ecx, eax
        call print_number
        say  " bytes at "
        mov  esi, [edi]
        mov  eax, esi
        call print_hex
        say  ", their sum is "
        call print_sum
.map:   say  10, "memory map     "
        mov  eax, [ebp + 48]
        call print_number
        say  " lines", 10

        mov  ebx, eax
        mov  esi, [ebp + 40]
.line:  dec  ebx
        js   .bss
        mov  eax, [esi]
        mov  ecx, [esi + 8]
        mov  edx, [esi + 16]
        call print_range
        add  esi, 24
        jmp  .line

.bss:   say  "behind the file "
        mov  esi, end
        mov  ecx, 256
        xor  eax, eax
.zero:  or   al, [esi]
        inc  esi
        loop .zero
        test al, al
        jz   .zeros
        say  "is what was there before", 10
        hlt
.zeros: say  "are zeros", 10
        hlt
end:
