from actlab.command import main

main()
