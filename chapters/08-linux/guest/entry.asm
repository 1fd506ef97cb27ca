; A kernel that looks at its processor before it does anything else: is all as the boot protocol promises?
%include "header.inc"
        jmp  main

%include "print.inc"

; Prints a name and "ok", or "WRONG" with EAX, if EAX and EBX differ.
%macro  check 1
        push eax
        push ebx
        say  %1
        pop  ebx
        pop  eax
        call verdict
%endmacro

; Nothing may be touched before it was kept: no stack yet, the registers are the loader's.
main:   mov  [found.esi], esi
        mov  [found.ebx], ebx
        mov  [found.ebp], ebp
        mov  [found.edi], edi
        mov  esp, LOADED_AT + ROOM
        pushfd
        pop  dword [found.flags]

        mov  eax, cr0
        and  eax, 0x8000_0001
        mov  ebx, 1
        check "CR0            PE is set, PG is clear      "
        xor  eax, eax
        mov  ax, cs
        mov  ebx, 0x10
        check "CS             is __BOOT_CS, 0x10          "
        xor  eax, eax
        mov  ax, ds
        mov  ebx, 0x18
        check "DS             is __BOOT_DS, 0x18          "
        xor  eax, eax
        mov  ax, es
        mov  ebx, 0x18
        check "ES             is __BOOT_DS, 0x18          "
        xor  eax, eax
        mov  ax, ss
        mov  ebx, 0x18
        check "SS             is __BOOT_DS, 0x18          "
        mov  eax, [found.flags]
        and  eax, 0x200
        xor  ebx, ebx
        check "EFLAGS         IF is clear                 "
        mov  eax, [found.ebx]
        or   eax, [found.ebp]
        or   eax, [found.edi]
        xor  ebx, ebx
        check "EBX, EBP, EDI  are zero                    "
        mov  esi, [found.esi]
        mov  eax, [esi + 0x202]
        mov  ebx, "HdrS"
        check "ESI            is at the boot parameters   "

        say  "GDT            has both selectors          "
        jmp  0x10:.loaded       ; a kernel reloads all of them, from the table that GDTR knows
.loaded:
        mov  ax, 0x18
        mov  ds, ax
        mov  es, ax
        mov  ss, ax
        say  "ok", 10
        hlt

verdict:
        cmp  eax, ebx
        jne  .wrong
        say  "ok", 10
        ret
.wrong: say  "WRONG: "
        call print_hex
        say  10
        ret

align 4
found:
.esi:   dd 0
.ebx:   dd 0
.ebp:   dd 0
.edi:   dd 0
.flags: dd 0
kernel_end:
