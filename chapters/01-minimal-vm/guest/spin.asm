; Never ends and never exits: only the budget of a run brings the monitor back.
bits 16
org 0x1000

        jmp  $
