; Takes the processor down. In protected mode, with an interrupt table that has no entries, UD2 raises a
; fault without a handler; the fault of looking for one has none either, nor has the double fault.
bits 16
org 0x1000

SERIAL equ 0x3f8
CODE   equ 8                    ; selector of the code segment

        mov  dx, SERIAL
        mov  al, '!'
        out  dx, al
        lgdt [gdtr]
        lidt [idtr]
        mov  eax, cr0
        or   al, 1              ; CR0.PE
        mov  cr0, eax
        jmp  CODE:protected

bits 32
protected:
        ud2                     ; exit: SHUTDOWN

align 8
gdt:    dq 0
        dq 0x00cf_9a00_0000_ffff ; code: base 0, limit 4 GiB, 32 bits
gdtr:   dw gdtr - gdt - 1
        dd gdt
idtr:   dw 0                    ; a limit of 0: no gate fits
        dd 0
