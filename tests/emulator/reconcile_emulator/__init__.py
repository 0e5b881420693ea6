"""moto, with what AWS has and moto lacks where a reconciler can go wrong.

README.md beside this package says what the layer adds and how tests steer it.
"""
