break sum
run
bt
print l->value
print scale
print c
print calls
delete
break list.c:24
continue
next
