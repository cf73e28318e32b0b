"""Work that takes long, started by a face and done in a process of its own.

A face asks for a job, the store keeps it, and one supervised process at a time does it: whoever
asked may leave, and nothing of a job is lost when a process ends. Every kind of job can be taken up
again where it stopped.
"""
