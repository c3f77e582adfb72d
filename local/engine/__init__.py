"""The DynamoDB engines of this machine.

dynoxide is a process over a file; moto is in this process and in memory, and `sound_moto` is what makes it fit
for threads. Nothing is imported here: moto alone costs more than most commands need.
"""
