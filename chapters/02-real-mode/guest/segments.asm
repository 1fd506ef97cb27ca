; One byte of memory has many names. And where a segment ends.
bits 16
cpu 386
org 0x7c00

SERIAL      equ 0x3f8
GENERAL_PROTECTION equ 13

        cli
        cld
        xor  ax, ax
        mov  ds, ax
        mov  ss, ax
        mov  sp, 0x7c00
        mov  dx, SERIAL

        mov  si, names          ; far pointers to the same linear address
.name:  les  di, [si]
        mov  al, [es:di]
        call show
        add  si, 4
        cmp  si, names_end
        jb   .name

        mov  bx, 0xffff         ; BX + SI is cut to 16 bits: the offset is wrapped, not the address
        mov  di, message + 1
        mov  si, di
        inc  si
        push ds
        pop  es
        mov  al, [bx + si]
        call show

        mov  byte [0], 'l'      ; 1 MiB is not 0: address line 20 is not masked here
        mov  ax, 0xffff
        mov  es, ax
        mov  di, 0x10
        mov  byte [es:di], 'h'
        mov  al, [es:di]
        call show
        push ds
        pop  es
        xor  di, di
        mov  al, [di]
        call show

        mov  word [GENERAL_PROTECTION * 4], beyond
        mov  word [GENERAL_PROTECTION * 4 + 2], 0
        mov  si, 0xffff
        mov  ax, [si]           ; its second byte would be at offset 0x1_0000
        mov  si, wrapped
        mov  cx, wrapped_end - wrapped
        rep  outsb
        hlt

beyond: mov  si, fault          ; the interrupt's return address is that of the MOV
        mov  cx, fault_end - fault
        rep  outsb
        hlt

show:   push ax                 ; ES:DI and the character in AL
        mov  bx, es
        call hex
        mov  al, ':'
        out  dx, al
        mov  bx, di
        call hex
        mov  al, ' '
        out  dx, al
        pop  ax
        out  dx, al
        mov  al, 10
        out  dx, al
        ret

hex:    mov  cx, 4              ; BX as four digits
.digit: rol  bx, 4
        mov  al, bl
        and  al, 15
        add  al, '0'
        cmp  al, '9'
        jbe  .out
        add  al, 'a' - '9' - 1
.out:   out  dx, al
        loop .digit
        ret

message: db  "seg"
names:  dw   message, 0         ; offset, segment
        dw   message - 0x7c00, 0x07c0
        dw   message - 0x7000, 0x0700
        dw   message - 0x3c00, 0x03c0
names_end:
fault:  db   "ds:ffff, 2 bytes: #GP", 10
fault_end:
wrapped: db  "ds:ffff, 2 bytes: wrapped", 10
wrapped_end:

        times 510 - ($ - $$) db 0
        dw   0xaa55
