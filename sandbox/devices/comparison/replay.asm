; A firmware image of 64 KiB that replays port accesses from a table behind it and reports what it reads
; through the debug console. No other firmware runs: the devices are as they come out of reset.
;
; A table entry is six bytes: what to do, a spare byte, the port (16 bits), two bytes a and b.
;   1 OUT a            2 IN, report it AND a     3 IN until (it AND a) == b, report whether it came to that
;   4 as 3, without a report                     0 the end
        bits 16
        org 0
start:  cli
        cld
        mov ax, cs
        mov ds, ax
        mov si, table
next:   mov bx, [si]
        mov dx, [si+2]
        mov cx, [si+4]
        add si, 6
        cmp bl, 1
        je write
        cmp bl, 2
        je report
        cmp bl, 3
        jae await
        mov al, 0
        out 0xf4, al
halt:   hlt
        jmp halt

write:  mov al, cl
        out dx, al
        jmp next

report: in al, dx
        and al, cl
        out 0xe9, al
        jmp next

await:  mov di, 0xffff
.again: in al, dx
        and al, cl
        cmp al, ch
        je .came
        dec di
        jnz .again
        mov al, 0xff
        jmp .told
.came:  mov al, 0
.told:  cmp bl, 4
        je next
        out 0xe9, al
        jmp next

        align 16
table:
