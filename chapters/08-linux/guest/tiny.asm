; A Linux kernel as its loader sees it: it has the header, and tells what it found in the boot parameters.
%include "header.inc"
        jmp  main

%include "print.inc"

main:   mov  esp, LOADED_AT + ROOM
        mov  ebp, esi           ; the boot parameters
        say  "Hello from "
        mov  eax, main
        call print_hex
        say  ". My boot parameters are at "
        mov  eax, ebp
        call print_hex
        say  ".", 10

        say  "header         "
        cmp  dword [ebp + 0x202], "HdrS"
        je   .header
        say  "not "
.header:
        say  "there, loader 0x"
        movzx eax, byte [ebp + 0x210]
        call print_byte
        say  10, "command line   "
        mov  esi, [ebp + 0x228]
        call print
        say  10, "initrd         "
        mov  eax, [ebp + 0x21c]
        mov  ecx, eax
        call print_number
        say  " bytes at "
        mov  esi, [ebp + 0x218]
        mov  eax, esi
        call print_hex
        say  ", their sum is "
        call print_sum
        say  10, "memory map     "
        movzx eax, byte [ebp + 0x1e8]
        call print_number
        say  " lines", 10

        mov  ebx, eax
        lea  esi, [ebp + 0x2d0]
.line:  dec  ebx
        js   .done
        mov  eax, [esi]         ; the low halves: this machine has less than 4 GiB
        mov  ecx, [esi + 8]
        mov  edx, [esi + 16]
        call print_range
        add  esi, 20
        jmp  .line
.done:  hlt

; Prints AL as two hex digits.
print_byte:
        pushad
        mov  ebx, eax
        shr  eax, 4
        mov  al, [digits + eax]
        call send
        mov  eax, ebx
        and  eax, 15
        mov  al, [digits + eax]
        call send
        popad
        ret
kernel_end:
