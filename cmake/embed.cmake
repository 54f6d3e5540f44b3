# Turns a file into the elements of a C array, for #include between braces:
#   cmake -DIN=score.txt -DOUT=score.txt.inc -P embed.cmake
file(READ ${IN} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" lines "${hex}") # 16 bytes a line
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${lines}")
file(WRITE ${OUT} "${bytes}\n")
